export * from 'postern:ticket/tickets@0.1.0';
