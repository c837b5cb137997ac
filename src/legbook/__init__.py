"""Every call leg of every Asterisk PBX: the pure core, the contracts and the plumbing that the services share."""
