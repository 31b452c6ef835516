export * from 'postern:message/sending@0.1.0';
