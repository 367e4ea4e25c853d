"""Seeded traffic: `plan` says which requests there are, `traffic` makes them with the SDKs, `report` counts them."""
