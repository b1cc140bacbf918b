"""Writes every report of a drill from its timeline; each file appears whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

from rollback_drill.ground import files
from rollback_drill.ground.terminal import shown
from rollback_drill.judge.judgement import judge
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import read
from rollback_drill.report import allure, html, junit, postmortem, postmortem_page
from rollback_drill.report.folder import claim


def write_reports(timeline: Path, directory: Path) -> Book:
    """Write index.html, postmortem.md and .html, junit.xml, allure-results/ and verdict.json.

    Returns the record as it was read; verdict.json comes last, so where it is, all others are.

    Raises UsageError when the timeline cannot be read.
    """
    book = Book(read(timeline))
    claim(directory)
    kept = directory / "timeline.jsonl"
    if not kept.exists() or not kept.samefile(timeline):
        files.copy(timeline, kept)
    files.write(directory / "index.html", shown(html.whole_page(book)))
    files.write(directory / "postmortem.md", shown(postmortem.document(book)))
    files.write(directory / "postmortem.html", shown(postmortem_page.readable(book)))
    files.write(directory / "junit.xml", junit.suites(book))
    allure.write_results(book, directory / "allure-results")
    files.write(directory / "verdict.json", verdict_text(book))
    return book


def verdict_text(book: Book) -> str:
    """Return the contents of verdict.json."""
    return json.dumps(book.ask(judge).to_json(), indent=2, ensure_ascii=False) + "\n"
