"""Pure torch: the token encoder, late interaction, optimal transport and the losses. Knows no Lightning."""
