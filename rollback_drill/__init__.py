"""Rolls a broken release back by executing its runbook, under traffic, and judges the outcome.

A drill is a list of phases over a rig. Whoever goes along is a companion. What a room can say
stands in that room. The record is read once, into a book; judge and report only ask the book.

The rooms, lowest first. A room knows only those before it, and of every room what it tells (its
`told`). What it tells, asks of a record and shows of it (`judges`, `sections`) is pure.

- `ground`: errors, verdicts, time, waiting, files, what a terminal is shown.
- `record`: what is told, append-only, read once into a book.
- `runbook`: the document: read in full, held against rules (`lint`), and what it says.
- `traffic`: what customers do, and what they see of it; `load/` makes it.
- `decide`: from what was seen to a decision. Pure: no stage, no HTTP, no database driver.
- `subject`: the service under drill, as the engine asks it. Each that there is has a folder here,
  above all rooms: the engine finds it by its name (`subject.hostaway` is the demo, whole).
- `stage`: where a drill happens: hosts, releases, a database, a front door.
- `data`: what becomes of the data: every acknowledged write, all rows, and the archive.
- `golden`: whether the service answers as it did before: the answers of a healthy day, asked again.
- `contract`: whether it keeps to its OpenAPI document as it did before: generated requests.
- `watch`: what is looked at beside the traffic: probes, sentinels, logs, reports of people.
- `effects`: what a procedure changes beside what it says: files, settings, processes, databases.
- `breaks`: what is broken on purpose: faults in the release, hazards in the rollback.
- `perform`: performs the runbook and verifies its checkboxes.
- `judge`: from the record to the verdict. Pure.
- `report`: what people read of a drill: page, post-mortem, JUnit, Allure, the index over all.
- `evidence`: what an auditor takes: a signed statement over a report, and who verifies it alone.
- `conduct`: holds one drill: its request, its phases, and whoever goes along.
- `campaigns`: many drills, or none: revalidation, interruptions, mishaps, the check of a stage.
- `begin`: a staging file to begin with, made of what a repository and a running service tell.

`cli` reads the arguments, `mistakes` refuses what they cannot mean, `commands` does what they ask;
`completion` is what shells complete them by, `family` finds the members of a family.
`docs/adding.md` says how to add a fault, a hazard, a check, a trigger, a sentinel or a stage: one
file each. `docs/architecture.md` walks through a drill, and says why it is built like this.
"""

__version__ = "0.1.0"
