"""The pages about budgets: what they show, who may set limits, and that a refused form stores nothing."""

from typing import Any

from governance.models import Budget

NEW = {
    "name": "Payments", "scope": "agent", "about": "AP-04", "metric": "money", "currency": "EUR", "period": "day",
    "hard_limit": "10000.00", "why": "A drill.",
}  # fmt: skip


def test_ingrid_sets_changes_and_closes_a_budget(halden: Any, sign_in: Any, robot: Any, question: Any) -> None:
    ingrid = sign_in("ingrid")
    made = ingrid.post("/budgets/new", NEW)
    assert made.status_code == 302, made.content
    page = f"/budgets/{Budget.objects.get().uid}"
    assert robot("AP-04").call("post", "actions", question(amount="4000.00")).json()["effect"] == "allow"

    assert "EUR 4,000.00" in ingrid.get("/budgets").content.decode()
    shown = ingrid.get(page).content.decode()
    assert "invoice.pay" in shown
    assert "EUR 6,000.00" in shown, "what is left"

    assert ingrid.get(f"{page}/edit").status_code == 200
    change = {"name": "Payments", "hard_limit": "5000", "edition": "1", "why": "Less."}
    assert ingrid.post(f"{page}/edit", change).status_code == 302
    assert ingrid.post(f"{page}/edit", change).status_code == 400, "somebody changed it meanwhile"
    assert "EUR 10,000.00 → EUR 5,000.00" in ingrid.get(page).content.decode()
    assert ingrid.post(f"{page}/close", {"why": "Done."}).status_code == 302
    assert Budget.objects.get().status == "closed"


def test_a_refused_form_names_the_field_and_stores_nothing(halden: Any, sign_in: Any) -> None:
    refused = sign_in("ingrid").post("/budgets/new", {**NEW, "about": "XX-99"})
    assert refused.status_code == 400
    assert "There is no agent XX-99" in refused.content.decode()
    assert not Budget.objects.exists()
