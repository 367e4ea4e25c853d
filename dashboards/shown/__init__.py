"""A board without Grafana: its queries asked of a real Prometheus, and drawn by a page."""
