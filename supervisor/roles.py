"""Who may do what over the API: one table, read by the guard, the page and the tests.

Each role may do all that those before it may.
"""

ROLES = ("viewer", "technician", "operator", "admin")
VIEWER, TECHNICIAN, OPERATOR, ADMIN = ROLES

# (method, path) -> the least role; a route that is not here cannot be served
NEEDS = {
    ("GET", "/api/me"): VIEWER,
    ("GET", "/api/standby"): VIEWER,
    ("GET", "/api/schema"): VIEWER,
    ("GET", "/api/site"): VIEWER,
    ("GET", "/api/signals"): VIEWER,
    ("GET", "/api/events"): VIEWER,
    ("GET", "/api/rigs"): VIEWER,
    ("GET", "/api/rigs/{rig}"): VIEWER,
    ("GET", "/api/rigs/{rig}/why"): VIEWER,
    ("GET", "/api/why"): VIEWER,
    ("GET", "/api/history"): VIEWER,
    ("GET", "/api/rigs/{rig}/history"): VIEWER,
    ("WS", "/api/live"): VIEWER,
    ("GET", "/metrics"): VIEWER,
    ("GET", "/api/places"): VIEWER,
    ("GET", "/api/told"): VIEWER,
    ("GET", "/api/alarms"): VIEWER,
    ("GET", "/api/silences"): VIEWER,
    ("POST", "/api/alarms/ack"): TECHNICIAN,
    ("POST", "/api/silences"): TECHNICIAN,
    ("GET", "/api/holds"): VIEWER,
    ("POST", "/api/holds"): TECHNICIAN,
    ("POST", "/api/holds/preview"): TECHNICIAN,
    ("POST", "/api/holds/release"): TECHNICIAN,
    ("POST", "/api/signal/preview"): TECHNICIAN,
    ("POST", "/api/signal"): OPERATOR,
    ("DELETE", "/api/signal"): OPERATOR,
    ("POST", "/api/signal/excuse"): OPERATOR,
    ("POST", "/api/signal/push"): OPERATOR,
    ("GET", "/api/audit"): OPERATOR,
    ("GET", "/api/tokens"): ADMIN,
    ("POST", "/api/tokens"): ADMIN,
    ("DELETE", "/api/tokens/{name}"): ADMIN,
}


def may(role: str, needed: str) -> bool:
    """Whether a role is enough."""
    return ROLES.index(role) >= ROLES.index(needed)
