"""A program of its own: fills the empty database of an installation, and prints what its agents and people use."""

import json
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autonomy_site.settings")
PASSWORD = "correct horse battery staple"
BPMN = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:aos="https://autonomy-os.org/bpmn/1"
  targetNamespace="https://autonomy-os.org/tests">
  <process id="faults" name="Faults" isExecutable="true">
    <startEvent id="start"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="read"/>
    <serviceTask id="read" name="Read" aos:role="invoice-reader" aos:lease="3" aos:attempts="50"/>
    <sequenceFlow id="f2" sourceRef="read" targetRef="split"/>
    <parallelGateway id="split"/>
    <sequenceFlow id="f3" sourceRef="split" targetRef="match"/>
    <sequenceFlow id="f4" sourceRef="split" targetRef="look"/>
    <serviceTask id="match" name="Match" aos:role="three-way-match" aos:lease="3" aos:attempts="50"/>
    <serviceTask id="look" name="Look" aos:role="invoice-reader" aos:lease="3" aos:attempts="50"/>
    <sequenceFlow id="f5" sourceRef="match" targetRef="join"/>
    <sequenceFlow id="f6" sourceRef="look" targetRef="join"/>
    <parallelGateway id="join"/>
    <sequenceFlow id="f7" sourceRef="join" targetRef="decide"/>
    <userTask id="decide" name="Decide" aos:path="large-payments" aos:risk="low" aos:title="Pay?"
      aos:effect="It is paid" aos:approve="It is paid." aos:reject="It is not paid." aos:timeout="It is not paid."/>
    <sequenceFlow id="f8" sourceRef="decide" targetRef="pay"/>
    <serviceTask id="pay" name="Pay" aos:role="three-way-match" aos:lease="3" aos:attempts="50"/>
    <sequenceFlow id="f9" sourceRef="pay" targetRef="end"/>
    <endEvent id="end"/>
  </process>
</definitions>
"""


def fill() -> dict[str, object]:
    """The Halden Group, a workflow with leases of three seconds, and the agents in it."""
    from django.core.management import call_command

    from agents import operations as agents
    from autonomy_site.demo.company import build
    from observability import ledger
    from observability.ledger import database_now
    from workflows import operations

    call_command("migrate", verbosity=0)
    at = database_now()
    halden = build(at, password=PASSWORD)
    version = operations.publish(
        "faults", BPMN.encode(), by=ledger.SYSTEM, at=at, unit=halden.units["finance"], owner=halden.people["maria"],
        incident_path=halden.workflow.incident_path,
    )  # fmt: skip
    for code in ("AP-01", "AP-02"):
        for right in ("workflows.work_in_workflow", "workflows.start_workflow"):
            agents.grant(right, halden.agents[code].principal, version.workflow, by=ledger.SYSTEM, at=at)
    return {"keys": {code: halden.keys[code] for code in ("AP-01", "AP-02")}, "password": PASSWORD}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(fill()))
