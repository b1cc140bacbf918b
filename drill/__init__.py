"""Rolls a broken release back by executing its runbook, under traffic, and judges the outcome.

A runbook is a program. The house, in the order in which data flows through it:

- `runbook`: parses the Markdown document into typed objects; the only source of thresholds,
  budgets and commands. What became of each line is told by its `coverage` (`read_out`).
- `release`: turns the layers under `service/` into a git origin with real tags.
- `stage`, `stages/`: the service, its Postgres and its load balancer, somewhere; `host`: where the
  runbook's commands run.
- `traffic`: open-loop clients (Locust, `load/`), every request observed; `ledger`: every write.
- `fault`, `faults/`: breaks the release and heals it again; a symptom must be seen to count.
- `sentinel`, `sentinels/`, `webhook`: what no error rate shows; what people report.
- `probe`: health, memory, connections and logs, past the load balancer.
- `detector`, `decision`, `attribution`: from observations to "roll back, by this
  procedure, because", or to "no rollback, since it is not ours".
- `hazard`, `hazards/`: what goes wrong in a rollback; `mishaps`: all of it, one by one.
- `interruptions`: cuts every procedure anywhere; `mortal`: the operator who dies of it.
- `accounting`, `paths`: what became of the data on each way that was gone, by `ledger`, `archive`
  and `fingerprint`; `walkers`, `kept_cursors`: customers in the middle of all pages.
- `procedure`: performs the runbook's code blocks; `check`, `checks/`: one check per checkbox.
- `shell`: the commands of a script as the shell's grammar reads them; `lint/`: rules over them,
  one file for each family.
- `revalidation`: reads a runbook by the rules of `lint`, performs it literally with the files that
  it `presumed`, and looks at the `outcome`.
- `events`, `timeline`: the append-only record. Everything above writes to it; nobody else is
  asked what happened.
- `judgement` (what it asks: `causes/`), `report/`: computed from the timeline alone, so that they
  can be computed again.
- `machine`, `files`, `console`, `signals`: what of the user's machine is kept out, how files are
  written, what a terminal is shown, and what tells a command to end.
- `conductor`: holds one `request` through its phases; `resumption`: finishes one that was killed;
  `cli`: the arguments behind the Makefile; `commands`: what they do.

To add a fault, a hazard, a sentinel, a check or a stage, add one file to its family.
"""
