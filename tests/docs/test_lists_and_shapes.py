"""What the client reads as shapes is what the server says."""

from __future__ import annotations

from typing import Any

from autonomy_client import Autonomy, Work


def test_what_an_agent_can_list_it_can_also_show(connect: Any, bring: Any, robot: Any, question: Any) -> None:
    bring("2026-1187")
    clerk: Autonomy = connect("AP-04")
    work = clerk.claim(0)
    assert isinstance(work, Work)
    asked = question({"step": work.step, "lease_token": work.lease_token})
    decision = robot("AP-04").call("post", "actions", asked).json()

    (run,) = clerk.runs()
    (open_question,) = clerk.escalations()
    agents = {agent.code: agent for agent in clerk.agents()}

    assert (run.key, run.workflow, run.status, run.version) == ("2026-1187", "invoice-to-payment", "running", 1)
    assert clerk.run(run.id).variables["read"]["number"] == "2026-1187"
    assert clerk.escalation(open_question.id).title == open_question.title
    assert open_question.run_key == "2026-1187"
    assert clerk.decision(decision["decision"]).waits_for_a_person
    assert agents["AP-04"].autonomy_level == 2
    assert clerk.agent("AP-04").accountable == "Maria Lindqvist"
    assert clerk.show("agents/AP-04").body["code"] == "AP-04"
