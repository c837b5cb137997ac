"""What every service needs around its work: settings, logs, metrics, health, Kafka, ownership and a clean end."""
