"""DF4xx: `$(context.…)`, `$(inputs.…)` and their kin."""
