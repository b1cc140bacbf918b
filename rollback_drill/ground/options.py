"""Every option and every command, declared once.

Made of it are the command line (`cli`), what a drill is asked (`conduct.request`), the variables
of make with their check and their help (`ground.asked_by_make`), and `docs/options.md`. To add an
option, declare it here, name it in its commands, and give `Request` a field of its name.
"""

from __future__ import annotations

from dataclasses import replace

from rollback_drill.ground.option import (
    FLAG,
    Option,
    Spelling,
    Verb,
    number,
    number_or,
    one_of,
    or_none,
    place,
    place_or_demo,
    place_or_none,
    text,
    whole,
    words,
)

SEVERITIES = ("high", "medium", "low")
"""Of findings, worst first."""
NOT_WIDE = ("-m", "not wide and not real")
ON_ALL_CORES = ("--numprocesses=logical",)
BESIDE_WAITING = ("--numprocesses=auto",)
"""A worker for each core, or more than that: `steps/fix_cores.py` says what is shared, and how."""
TIERS = {
    "smoke": ("-m", "smoke"),
    "standard": ("-m", "not wide and not model"),
    "full": ("-m", "not model"),
}
"""Of the gate, which holds nothing in a model: what pytest is asked."""

STAGE = Option(
    "STAGE",
    text("auto, containers, processes or FILE.toml"),
    "auto",
    "where to drill; auto: in containers where an engine answers",
    "STAGE=processes",
)
FAULT = Option(
    "FAULT",
    text("NAME"),
    "connection-exhaustion",
    "what to break; docs/triggers.md lists all",
    "FAULT=invalid-cursors",
)
# None: the first of the stage's file that a rollback cures.
FAULT_OF_STAGE = replace(FAULT, default="")
PROCEDURE = Option(
    "PROCEDURE",
    text("auto or a number"),
    "auto",
    "which rollback to perform; auto: the one that the diagnosis calls for",
    "PROCEDURE=2",
)
RUNBOOK = Option(
    "RUNBOOK",
    place_or_demo("FILE", "runbook", "rollback.md"),
    "runbook/rollback.md",
    "the runbook; demo: that of the demo service",
    "RUNBOOK=ours.md",
)
RUNBOOK_OR_NONE = Option("RUNBOOK", or_none(RUNBOOK.spelling), "", RUNBOOK.help, RUNBOOK.example)
REPORT = Option(
    "REPORT", place("DIR"), "reports/latest", "folder to write to", "REPORT=reports/tuesday"
)
PACE = Option(
    "PACE", number(1, 10_000), "60", "divides the runbook's waits, never its budgets", "PACE=600"
)
RATE = Option(
    "RATE",
    number_or("auto", 1, 2_000),
    "auto",
    "requests per second; auto: 200, or 100 on one core, and where the stage is not the drill's",
    "RATE=50",
)
SEED = Option("SEED", whole(0, 2**31), "1", "from which data and traffic are made", "SEED=7")
HOSTS = Option("HOSTS", whole(1, 8), "1", "service hosts, in containers", "HOSTS=2")
LISTINGS = Option(
    "LISTINGS", whole(100, 10_000_000), "5000", "listings in the database", "LISTINGS=1000000"
)
SUPERVISOR = Option(
    "SUPERVISOR",
    one_of("supervisord", "systemd", or_none=True),
    "",
    "what runs the service on hosts in containers; none: supervisord, or the runbook's own",
    "SUPERVISOR=systemd",
)
HAZARD = Option(
    "HAZARD",
    text("NAME"),
    "none",
    "what goes wrong in the rollback; docs/data.md lists all",
    "HAZARD=under-fire",
)
ROUND_TRIP = Option(
    "ROUND_TRIP", FLAG, "", "deploy again afterwards, and roll back once more", "ROUND_TRIP=1"
)
AUTHORIZED_BY = Option(
    "AUTHORIZED_BY",
    text("ROLES"),
    "",
    "roles that start the rollback, between commas",
    'AUTHORIZED_BY="Engineering Lead"',
)
PLAN = Option("PLAN", FLAG, "", "print every command first, and ask", "PLAN=1")
RESUME = Option(
    "RESUME",
    place_or_none("REPORT"),
    "",
    "finish what the drill with this report had begun when it was killed",
    "RESUME=reports/latest",
)
MODE = Option(
    "MODE",
    one_of("automatic", "operator"),
    "automatic",
    "operator: a person performs the runbook",
    "MODE=operator",
)
CHANNELS = Option(
    "CHANNELS",
    place_or_none("FILE.toml"),
    "",
    "where messages are sent; none: to a mailbox of the drill's own",
    "CHANNELS=channels.toml",
)
HISTORY = Option(
    "HISTORY",
    place_or_none("FILE"),
    "",
    "where drills are kept and compared",
    "HISTORY=drills.jsonl",
    by_make="reports/history.jsonl",
)
GOLDEN = Option(
    "GOLDEN",
    place_or_none("FILE"),
    "",
    "answers of a healthy day, which the rollback must bring back; none: the stage's own",
    "GOLDEN=golden.json",
)
KEPT_DRILLS = Option("HISTORY", place("FILE"), HISTORY.by_make, HISTORY.help, HISTORY.example)
FAIL_ON = Option(
    "FAIL_ON",
    one_of(*SEVERITIES),
    "high",
    "least severity of a finding that fails",
    "FAIL_ON=medium",
)
FROM = Option(
    "FROM",
    place("FILE"),
    None,
    "a drill's timeline.jsonl; `decide` also takes requests.csv",
    "FROM=reports/latest/timeline.jsonl",
)
DECIDE_PACE = replace(
    PACE, variable="DECIDE_PACE", name="pace", default="1", example="DECIDE_PACE=60"
)
BASELINE = Option(
    "BASELINE",
    whole(59, 10**7),
    "400",
    "requests at the start that are taken for healthy",
    "BASELINE=1000",
)
TO = Option("TO", place("DIR or FILE"), "reports/monitoring", "where to write to", "TO=alerts")
URL = Option(
    "URL",
    text("http://… or https://…"),
    "",
    "the running service, which is asked a few things by GET; none: it is not asked",
    "URL=http://127.0.0.1:8000",
)
SCHEMA = Option(
    "SCHEMA", FLAG, "", "print the JSON schema of staging files, and write nothing", "SCHEMA=1"
)
PDF = Option(
    "PDF",
    FLAG,
    "",
    "print the post-mortem as postmortem.pdf too, by this machine's Chromium",
    "PDF=1",
)
KEY = Option(
    "KEY",
    place("FILE"),
    None,
    "the private ed25519 key (PEM) to sign with, which nobody else can read",
    "KEY=signer.pem",
)
STAGES_OF_TESTS = Option(
    "STAGES",
    text("auto, containers or processes"),
    "auto",
    "stages to test on, between commas; auto: all that can be had",
    "STAGES=processes",
)
FEATURES = Option(
    "FEATURES",
    place_or_demo("DIR", "features"),
    "features",
    "what the gate holds; demo: the features of the demo service",
    "FEATURES=ours",
)
TIER = Option(
    "TIER",
    Spelling(", ".join(TIERS), lambda name, text: TIERS[one_of(*TIERS).read(name, text)]),
    "standard",
    "how much to hold: smoke takes a minute, full has every fault and hazard",
    "TIER=smoke",
)
TESTS = Option(
    "TESTS",
    words("options of pytest"),
    "",
    "what pytest is asked beside",
    "TESTS=\"-k matrix -m 'not drill'\"",
)
SERVICE = Option(
    "SERVICE", one_of("kinto", "unleash"), "kinto", "which example to drill", "SERVICE=unleash"
)
ONLY = Option(
    "ONLY",
    words("NAMES"),
    "",
    "sabotages to hold, or patterns of their names; none: all",
    "ONLY='auth-* late-deletion'",
)
CLEAN = Option("CLEAN", whole(0, 1000), "8", "drills to hold without a sabotage", "CLEAN=50")
SINGLY = Option("SINGLY", FLAG, "", "hold each sabotage alone, not in bunches", "SINGLY=1")
RUNS = Option("RUNS", whole(1, 1_000_000), "200", "simulated drills to hold", "RUNS=1000")
SIZES = Option(
    "SIZES", words("numbers"), "10000 1000000", "listings to measure with", 'SIZES="10000"'
)
REVISION = Option(
    "BASE",
    text("REVISION"),
    "",
    "with which the gate's summary compares the runbook; none: what GitHub or GitLab says",
    "BASE=origin/main",
)
PYTHON = Option(
    "PYTHON", text("COMMAND"), "python3", "what makes the virtual environment", "PYTHON=python3.12"
)

VERBS = (
    Verb(
        "setup",
        "Install what the suite needs into .venv",
        "make setup PYTHON=python3.12",
        (PYTHON,),
        module="",
    ),
    Verb(
        "drill",
        "Break a release, roll it back by the runbook, write the report",
        "make drill FAULT=invalid-cursors PACE=120",
        (
            STAGE,
            FAULT,
            PROCEDURE,
            RUNBOOK,
            PACE,
            RATE,
            SEED,
            HOSTS,
            SUPERVISOR,
            LISTINGS,
            HAZARD,
            ROUND_TRIP,
            AUTHORIZED_BY,
            MODE,
            PLAN,
            RESUME,
            CHANNELS,
            GOLDEN,
            HISTORY,
            REPORT,
        ),
    ),
    Verb(
        "demo",
        "Drill the demo service on plain processes, by its own runbook",
        "make demo FAULT=invalid-cursors",
        (FAULT, PROCEDURE, PACE, SEED, REPORT),
        words=("--stage=processes", "--runbook=demo"),
        like="drill",
    ),
    Verb(
        "golden",
        "Record what a staging environment answers on a healthy day",
        "make golden STAGE=staging.toml TO=golden.json",
        (replace(STAGE, default=None), SEED, replace(TO, default="golden.json")),
    ),
    Verb(
        "init",
        "Begin a staging file with what is found in this folder",
        "make init URL=http://127.0.0.1:8000",
        (RUNBOOK_OR_NONE, URL, replace(TO, default="rollback-drill.toml"), SCHEMA),
    ),
    Verb(
        "check",
        "Say what a staging environment lacks",
        "make check STAGE=staging.toml RUNBOOK=ours.md",
        (replace(STAGE, default=None), RUNBOOK),
    ),
    Verb(
        "test",
        "Run the tests, each kind of drill once: the suite's own and the features",
        "make test STAGES=processes TESTS='-k matrix'",
        (STAGES_OF_TESTS, TESTS),
        module="pytest",
        words=("--stages={stages}", *BESIDE_WAITING, *NOT_WIDE),
    ),
    Verb(
        "test-all",
        "Run all tests: each fault and hazard, on every stage to be had (at night)",
        "make test-all STAGES=processes",
        (STAGES_OF_TESTS, TESTS),
        module="pytest",
        words=("--stages={stages}", *BESIDE_WAITING, "--durations=30"),
    ),
    Verb(
        "gate",
        "Run the features as a CI gate",
        "make gate TIER=smoke",
        (FEATURES, RUNBOOK, STAGES_OF_TESTS, TIER, HISTORY, REVISION, REPORT),
        module="pytest",
        words=(
            "{features}",
            "--runbook={runbook}",
            *("-p", "no:locust"),  # its plugin claims options such as --host
            "--stages={stages}",
            *ON_ALL_CORES,
            "--max-worker-restart=0",  # a new one would remove what others left for Allure
            "--junitxml={report}/junit.xml",
            "--alluredir={report}/allure-results",
            "--clean-alluredir",
            "--summary={report}/summary.md",
            "--base={base}",
            "--history={history}",
        ),
    ),
    Verb(
        "claim",
        "Make a folder ready for the reports of a gate",
        "make claim REPORT=reports/gate",
        (REPORT,),
    ),
    Verb(
        "revalidate",
        "Bind and perform every procedure of a runbook",
        "make revalidate RUNBOOK=ours.md FAIL_ON=medium",
        (RUNBOOK, STAGE, FAULT_OF_STAGE, FAIL_ON, SUPERVISOR, REPORT),
    ),
    Verb(
        "read",
        "Print a runbook as it is understood, and what of it is not",
        "make read RUNBOOK=ours.md",
        (RUNBOOK, STAGE),
    ),
    Verb(
        "bindings",
        "Say what checkboxes can say; of a runbook, what holds each of its boxes",
        "make bindings RUNBOOK=ours.md",
        (RUNBOOK_OR_NONE, STAGE),
    ),
    Verb(
        "decide",
        "Say what the detector would have said of a record",
        "make decide FROM=requests.csv",
        (FROM, RUNBOOK, DECIDE_PACE, BASELINE),
    ),
    Verb(
        "interruptions",
        "Kill every procedure at every point, perform it again, write the table",
        "make interruptions REPORT=reports/cuts",
        (RUNBOOK, STAGE, REPORT),
    ),
    Verb(
        "sabotage",
        "Plant defects in releases, runbook and data; say which check turns red by each",
        "make sabotage ONLY='auth-*'",
        (
            RUNBOOK,
            replace(STAGE, default="processes"),
            ONLY,
            SEED,
            CLEAN,
            SINGLY,
            replace(REPORT, default="reports/sabotage"),
        ),
    ),
    Verb(
        "simulate",
        "Hold drills in a simulated world, by the thousand, and print how often a verdict is wrong",
        "make simulate RUNS=1000",
        (RUNS, SEED, RUNBOOK, replace(REPORT, default="reports/simulated")),
    ),
    Verb(
        "index",
        "Render a page over all kept drills: trends, and when the next is due",
        "make index TO=reports/all.html",
        (KEPT_DRILLS, replace(TO, default="reports/index.html")),
    ),
    Verb(
        "monitoring",
        "Write alert rules and a dashboard made of the runbook's thresholds",
        "make monitoring RUNBOOK=ours.md TO=alerts",
        (RUNBOOK, TO),
    ),
    Verb(
        "report",
        "Render the report again",
        "make report FROM=reports/latest/timeline.jsonl REPORT=reports/again",
        (FROM, PDF, REPORT),
    ),
    Verb(
        "evidence",
        "Sign what a report says, for an auditor",
        "make evidence KEY=signer.pem REPORT=reports/tuesday",
        (KEY, REPORT),
    ),
    Verb(
        "example",
        "Drill a foreign service (Kinto or Unleash) over ssh, as a staging environment",
        "make example SERVICE=unleash REPORT=reports/unleash",
        (SERVICE, REPORT),
        module="examples",
        words=("--service={service}", "--report={report}"),
    ),
    Verb(
        "bench",
        "Measure start, detector, load generator and data, as ratios within one run",
        "make bench SIZES=10000",
        (SIZES,),
        module="bench.bench_data",
    ),
    Verb("wheel", "Build the wheel into dist", "make wheel", module=""),
    Verb("lint", "Check style and types", "make lint", module=""),
    Verb("lock", "Pin the newest versions that fit together", "make lock", module=""),
)
