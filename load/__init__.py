"""The traffic: Locust users on an open loop. Runs as a process of its own, see `traffic.live`.

`locustfile` is what Locust loads; `openloop` sends each request when it is due, as a
crowd asks (`traffic.crowd`); `http` sends one request once; `recorder` writes what was seen.
"""
