"""The invented demo town: ninety days of casework, produced through the verbs."""
