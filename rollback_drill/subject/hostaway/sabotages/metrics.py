"""The stable release tells metrics, and they are not true."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import Edit, Plant, PlantedIn, Sabotage
from rollback_drill.subject.hostaway.wrapping import answering

_FILE = "hostaway_mcp/metrics.py"
_COUNT = "    REQUESTS.labels(method, route, str(status)).inc()\n"
_TIME = "    LATENCY.labels(route).observe(seconds)\n"
_OBSERVE = _COUNT + _TIME
_SINCE = "\nimport time\n\n_BORN = time.monotonic()\n"
_LATE = "    if time.monotonic() - _BORN > 3:\n        return\n"


def _page(change: str, *, after_s: float = 0.0) -> tuple[Plant, ...]:
    return answering(change, path="/metrics", after_s=after_s)


def _of(name: str, breaks: str, by: str, *plants: Plant) -> Sabotage:
    return Sabotage(name, breaks, PlantedIn.STABLE, by, plants)


SABOTAGES = (
    _of(
        "metrics-frozen",
        "no request is counted",
        "metrics_collecting",
        Edit(_FILE, _OBSERVE, "    return\n"),
    ),
    _of(
        "metrics-frozen-late",
        "from the third second on no request is counted",
        "metrics_collecting",
        Edit(_FILE, _OBSERVE, _LATE + _OBSERVE),
        Edit(_FILE, "", _SINCE),
    ),
    _of(
        "metrics-untimed",
        "requests are counted, and not timed",
        "metrics_collecting",
        Edit(_FILE, _TIME, ""),
    ),
    _of(
        "metrics-no-time",
        "every request is told to take no time",
        "of_metrics",
        Edit(_FILE, "observe(seconds)", "observe(0.0)"),
    ),
    _of(
        "metrics-milliseconds",
        "response times are told in milliseconds, and called seconds",
        "dashboards_normal",
        Edit(_FILE, "observe(seconds)", "observe(seconds * 1000)"),
    ),
    _of(
        "metrics-doubled",
        "every request is counted twice",
        "of_metrics",
        Edit(_FILE, _OBSERVE, 2 * _OBSERVE),
    ),
    _of(
        "metrics-doubled-writes",
        "every write is counted twice",
        "of_metrics",
        Edit(_FILE, _COUNT, _COUNT + "    if method == 'POST':\n    " + _COUNT),
    ),
    _of(
        "metrics-one-in-twenty",
        "one of twenty requests is not counted",
        "of_metrics",
        Edit(
            _FILE,
            _OBSERVE,
            "    import random\n    if random.random() < 0.05:\n        return\n" + _OBSERVE,
        ),
    ),
    _of(
        "metrics-all-good",
        "refusals and errors are counted as good answers",
        "metrics_collecting",
        Edit(_FILE, "str(status)", "'200'"),
    ),
    _of(
        "metrics-phantom-errors",
        "errors are counted that nobody was given",
        "of_metrics",
        Edit(
            _FILE,
            _COUNT,
            _COUNT + "    import random\n    if random.random() < 0.005:\n"
            "        REQUESTS.labels(method, route, '503').inc()\n",
        ),
    ),
    _of(
        "metrics-scrapes-as-traffic",
        "what monitors ask for is counted as traffic of clients",
        "of_metrics",
        Edit(
            _FILE,
            _OBSERVE,
            "    if not route.startswith('/api/'):\n        route = '/api/listings'\n" + _OBSERVE,
        ),
    ),
    _of(
        "metrics-renamed",
        "the counter of requests has another name",
        "metrics_collecting",
        Edit(_FILE, '"hostaway_requests_total"', '"hostaway_http_requests_total"'),
    ),
    _of(
        "metrics-relabelled",
        "the label of the status has another name",
        "metrics_collecting",
        Edit(_FILE, '["method", "route", "status"]', '["method", "route", "code"]'),
    ),
    _of(
        "metrics-gone",
        "from the second second on there is no page of metrics",
        "metrics_collecting",
        *_page("answer.status = 404", after_s=2.0),
    ),
    _of(
        "metrics-html",
        "the page of metrics is one of HTML",
        "metrics_collecting",
        *_page("answer.body = b'<html><body>metrics</body></html>'"),
    ),
    _of(
        "metrics-buckets",
        "a larger bucket of response times holds less than a smaller one",
        "metrics_collecting",
        *_page(
            "import re\n"
            "answer.body = re.sub(rb'(le=\"0.5\",[^}]*}) [0-9.e+]+', rb'\\1 0.0', answer.body)"
        ),
    ),
    _of(
        "metrics-key",
        "the customers' key stands in the page of metrics",
        "of_secrets",
        *_page(
            "import os\n"
            "key = os.environ['HOSTAWAY_API_KEY']\n"
            "answer.body += f'app_key{{key=\"{key}\"}} 1\\n'.encode()"
        ),
    ),
)
