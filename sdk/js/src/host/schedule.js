export * from 'postern:schedule/timer@0.1.0';
