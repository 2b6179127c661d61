"""The API keeps to what it says of itself, whatever it is asked."""

import re
from pathlib import Path

import fake_site
import pytest
import schemathesis
from fake_site import FakeSite, served
from hypothesis import HealthCheck, Phase, given, settings
from made_up import TOKEN
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi

from supervisor import roles

pytestmark = pytest.mark.real_time
SOAK = [pytest.mark.soak, pytest.mark.timeout(3600)]
CHECKS = [
    checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_schema_conformance,
]


def few(examples):
    return settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def api():
    with served(FakeSite()) as port:
        yield schemathesis.openapi.from_url(
            f"http://127.0.0.1:{port}/api/schema", headers={"Authorization": f"Bearer {TOKEN}"}
        )


@pytest.mark.parametrize("examples", [5, pytest.param(300, marks=SOAK)])
def test_whatever_is_asked_the_answer_is_one_of_those_promised(api, examples):
    asked = set()

    for operation in (result.ok() for result in api.get_all_operations()):

        @few(examples)
        @given(operation.as_strategy())
        def ask(case):
            asked.add((case.operation.method.upper(), case.operation.path))
            case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {TOKEN}"})

        ask()
    assert len(asked) > 10 and ("POST", "/api/signal") in asked


def test_the_schema_tells_every_route_and_that_a_token_is_needed():
    with served(FakeSite()) as port:
        told = fake_site.get(port, "/api/schema").json()
    paths = {(m.upper(), path) for path, item in told["paths"].items() for m in item}
    assert paths == {key for key in roles.NEEDS if key[0] != "WS"} - {("GET", "/api/schema")}
    assert told["security"] == [{"token": []}]
    for item in told["paths"].values():
        for operation in item.values():
            assert {"200", "401", "403", "429"} <= set(operation["responses"])
            assert operation["summary"] and operation.get("description"), operation


def test_the_page_tells_every_route_and_its_role():
    page = (Path(__file__).parents[2] / "supervisor" / "README.md").read_text()
    rows = re.findall(r"^\| `([A-Z]+) (/\S*)` \| (\w+) \|", page, re.M)
    assert {(method, path): role for method, path, role in rows} == roles.NEEDS
