export * from 'postern:knowledge/search@0.1.0';
