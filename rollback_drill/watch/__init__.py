"""What is looked at beside the traffic: probes, sentinels, logs, reports of people."""
