def model(dbt, session):
    dbt.config(materialized="table", tags=["py"])
    return dbt.ref("mart")
