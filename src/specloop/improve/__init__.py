"""The improve stage: score what agents did, cluster failures, propose changes and prove them before promotion."""
