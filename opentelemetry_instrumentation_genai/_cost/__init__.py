"""What calls cost: billed by the provider, or by lists of prices."""
