"""When and where: Prefect flows over the tasks."""

from tasks.environment import keep_quiet

keep_quiet()  # work at import, because Prefect looks at the environment when it is loaded
