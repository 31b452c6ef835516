export * from 'postern:model/completion@0.1.0';
