export * from 'postern:http/client@0.1.0';
