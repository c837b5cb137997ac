"""Commands -> AMI actions, a module a verb. Pure. Nothing else than what they write can be asked of a PBX."""
