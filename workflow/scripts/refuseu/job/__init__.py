"""A job: how it starts, logs, shows progress, keeps what costs, and is launched on several GPUs."""
