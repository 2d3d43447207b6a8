"""The demo: a city's calendar with a year behind it, and the shop beside it. The same day makes the same data."""
