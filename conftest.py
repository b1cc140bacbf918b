"""Table of contents of the suite: where its fixtures, options and sentences live."""

from hypothesis import settings

from rollback_drill.ground.machine import keep_out

keep_out()  # the user's settings are none of a drill's
settings.register_profile("untimed", deadline=None)  # how fast the machine is is none of a test's
settings.load_profile("untimed")

pytest_plugins = [
    "steps.plugin",  # what features need, in whatever repository
    "steps.fix_cores",  # how a run is shared among cores, and what is not
    "steps.fix_alone",  # tests beside which nothing has a stage
    "steps.fix_allure",  # Gherkin steps in Allure results
    "steps.fix_examples",  # properties of many examples, and how many there were
]
