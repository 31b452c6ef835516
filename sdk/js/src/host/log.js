export * from 'postern:log/logging@0.1.0';
