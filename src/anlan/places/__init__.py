"""What the rest speaks about: areas, sites, parties, departments, officers, their posts and duties."""
