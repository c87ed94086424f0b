"""People's door to the analysis of rules: what is wrong with a version before it is put in force."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import Door, PeopleOnly
from governance import operations
from governance.api.policies import visible_policy
from governance.api.shapes.policies import AnalysisOutput, finding_of
from governance.models import Policy
from governance.operations.telling import telling_to
from observability import ledger


class AnalysisView(Door):
    """The findings about one version of a policy."""

    permission_classes = [PeopleOnly]

    @extend_schema(responses=AnalysisOutput, summary="Analyse a version of a policy")
    def get(self, request: Request, key: str, number: int) -> Response:
        policy = visible_policy(self.principal, key, Policy.objects.all())
        version = policy.versions.select_related("policy").filter(number=number).first()
        if version is None:
            raise ledger.NotFound(f"The policy {key} has no version {number}.")
        analysis = operations.analyse_version(version)
        telling, new = telling_to(self.principal), analysis.new
        found = [finding_of(finding, telling, is_new=finding.identity in new) for finding in analysis.findings]
        return Response({"findings": found})
