"""Actions carried out: schedules, the control master, handlers, listeners and executors."""
