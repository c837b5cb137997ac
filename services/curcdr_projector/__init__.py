"""Folds the raw log into legs: live rows in MySQL `curcdr`, leg topics for everybody else."""
