export * from 'postern:records/store@0.1.0';
