"""What agents want done outside, on its way out: nothing lost, nothing done twice."""
