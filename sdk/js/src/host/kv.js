export * from 'postern:kv/state@0.1.0';
