"""From run records to tables, figures and verdicts; nothing here trains."""
