"""All of legbook on one machine, on real servers, with PBXs played from recordings: demo, smoke and e2e tests."""
