"""Writes every report of a drill from its timeline; each file appears whole or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from drill.judgement import Judgement, judge
from drill.report import allure, html, junit, postmortem
from drill.timeline import read


def write_reports(timeline: Path, directory: Path) -> Judgement:
    """Write index.html, postmortem.md, junit.xml, allure-results/, verdict.json to `directory`.

    Returns the judgement; verdict.json comes last, so where it is, all the others are.

    Raises UsageError when the timeline cannot be read.
    """
    record = list(read(timeline))
    judgement = judge(record)
    directory.mkdir(parents=True, exist_ok=True)
    kept = directory / "timeline.jsonl"
    if not kept.exists() or not kept.samefile(timeline):
        shutil.copyfile(timeline, kept)
    _write(directory / "index.html", html.render(record, judgement))
    _write(directory / "postmortem.md", postmortem.render(record, judgement))
    _write(directory / "junit.xml", junit.render(judgement))
    allure.write(record, judgement, directory / "allure-results")
    text = json.dumps(judgement.to_json(), indent=2, ensure_ascii=False) + "\n"
    _write(directory / "verdict.json", text)
    return judgement


def _write(path: Path, text: str) -> None:
    scratch = path.with_name(f".{path.name}.part")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)
