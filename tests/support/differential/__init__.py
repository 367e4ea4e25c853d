"""The differential fuzzer: one call made twice, by the bare SDK and by the instrumented one, and what differs.

A *case* is a call: an SDK, what is given to it, what the server answers, how the application reads that, and settings. What it is
given is drawn as a *recipe*, of which each run makes its own objects. What an application and a server see of a run is an
*observation*. Two observations have to be the same, but for what `listed` names with a reason.
"""
