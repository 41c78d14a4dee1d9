"""What waits on a cluster for events: an EventListener of Tekton Triggers, and CronJobs."""
