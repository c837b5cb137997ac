"""Publishes what each PBX says on its AMI socket to Kafka, losing nothing it could read."""
