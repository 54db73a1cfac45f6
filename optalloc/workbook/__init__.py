"""Excel in and out: schema, template, reader, plan writer and plan reader."""
