"""`go-prefetch plan`: what a run would do."""

from __future__ import annotations

from go_prefetch.cli.invocation import Invocation
from go_prefetch.config.choices import PlanFormat
from go_prefetch.config.command_inputs import PLAN
from go_prefetch.errors import GoCommandError
from go_prefetch.golang.command import GoCommand
from go_prefetch.golang.modcache import ModuleFolder
from go_prefetch.model.plan import Plan
from go_prefetch.render.plan import plan_json, plan_outputs, plan_text, settled_gaps
from go_prefetch.run.steps.explain_failure import hinted
from go_prefetch.run.steps.plan import make_plan


def plan(invocation: Invocation) -> int:
    """Print the plan. Raises PrefetchError for bad input."""
    settings, platform, own = invocation.settings(), invocation.platform, invocation.values(PLAN)
    go = GoCommand(invocation.environ)
    environment = go.environment(settings.cwd)
    environment = go.with_toolchains(environment, environment.goproxy)
    made = make_plan(settings, environment, ModuleFolder.of_cache(environment.gomodcache))
    _refuse_what_go_refuses(made, go)
    for warning in (*made.warnings, *settled_gaps(made)):
        platform.warn(warning)
    if own["format"] is PlanFormat.GITHUB:
        outputs = plan_outputs(made, settings.store.pool)
        platform.publish(outputs, "")
        text = "\n".join(f"{name}={value}" for name, value in outputs.items())
    else:
        is_json = own["format"] is PlanFormat.JSON
        text = plan_json(made) if is_json else plan_text(made, every_module=bool(own["modules"]))
    platform.show(text, invocation.stdout)
    return 0


def _refuse_what_go_refuses(made: Plan, go: GoCommand) -> None:
    """Raise the error of Go for a directive that it does not know, as a run does. A newer Go may know it."""
    if made.toolchains:
        return
    for scope in made.scopes:
        for file in scope.unsure:
            try:
                go.check_readable(file)
            except GoCommandError as error:
                raise hinted(error) from None
