"""Truth: launches made up from what people write, foreseen by the model and measured by the oracle."""
