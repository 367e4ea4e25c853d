"""What outlasts a call: forks, the exit of the process, and what is made in the background."""
