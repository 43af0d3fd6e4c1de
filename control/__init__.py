"""What happens: actions, schedules, the control master, handlers, listeners and executors."""
