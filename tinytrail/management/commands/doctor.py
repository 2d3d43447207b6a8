import sys
from dataclasses import asdict
from typing import Any

from django.utils import timezone

from tinytrail.command import TinyCommand
from tinytrail.doctor import Finding, examine


class Command(TinyCommand):
    help = "Checks everything an installation needs and says what to do about each finding; ends with 1 on an error."
    # They are among the findings.
    requires_system_checks = ()

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        self.findings = examine(now=timezone.now())
        errors = self.of("error")
        warnings = self.of("warning")
        lines = [str(finding) for finding in self.findings]
        if errors or warnings:
            lines.append(f"{len(errors)} errors and {len(warnings)} warnings.")
        else:
            lines.append("This installation has everything it needs.")
        return "\n".join(lines), {
            "healthy": not errors,
            "findings": [asdict(finding) for finding in self.findings],
        }

    def of(self, level: str) -> list[Finding]:
        return [finding for finding in self.findings if finding.level == level]

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401
        super().handle(*args, **options)
        if self.of("error"):
            sys.exit(1)
