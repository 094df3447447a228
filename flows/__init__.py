"""When and where: Prefect flows. They import tasks, nothing imports them."""
