"""The registered reader: packaging, versions, promotion and use. Only this folder knows MLflow's registry."""
